"""Long work with an id: one run store, one runner, and the jobs themselves."""
