"""Database servers of this machine's own for development and tests: started without a container, on loopback only."""
