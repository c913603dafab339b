"""Messages of the RPC services; the Python modules are made from the .proto files (`make wire`)."""
