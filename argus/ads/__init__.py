"""The ads application: what an ad's document holds (flows.toml), its computed fields, its handlers."""
