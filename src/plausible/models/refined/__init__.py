"""Models of any family that go on to learn by a game."""
