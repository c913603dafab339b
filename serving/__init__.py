"""What ads delivery embeds: the newest document of every key, fed by the documents topic. Imports proto only."""
