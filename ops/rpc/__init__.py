"""gRPC: rows of feeds come in, questions about documents are answered. The extra `rpc`."""
