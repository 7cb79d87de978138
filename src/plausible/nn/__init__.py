"""Parts of networks that know nothing of any model."""
