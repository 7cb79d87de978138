"""Models that say exactly how probable an x is."""
