"""The gRPC server: it checks what comes in, records it, has it published, and answers."""
