"""`pa setup`, `load`, `index` and `serve`: bring the world into the store, and open the HTTP door."""
