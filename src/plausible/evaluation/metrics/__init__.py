"""The measures, one question a file; importing a file registers its measures."""
