"""The variants, one final class a file, and the base they share."""
