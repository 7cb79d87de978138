"""Models that draw samples without saying how probable they are."""
