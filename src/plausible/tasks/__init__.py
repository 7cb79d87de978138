"""What a person does."""
