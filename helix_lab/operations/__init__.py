"""What a user can ask for: one declaration an operation, from which every door is made."""
