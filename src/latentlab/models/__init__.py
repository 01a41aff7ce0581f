"""The variants, one final class per file, and the base they share."""
