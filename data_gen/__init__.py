"""The workshop: prints the synthetic world from the catalog."""
