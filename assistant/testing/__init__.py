"""What plugin authors test with: servers that stand in for the real ones, on loopback."""
