"""The arms: who answers. The plain agent, the model alone, the engine alone, and Paladin with the model."""
