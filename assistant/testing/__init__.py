"""What plugin authors test with: a desk in memory (`assistant.testing.desk`, and the fixture
`plugin_desk`), and servers that stand in for the real ones, on loopback."""
