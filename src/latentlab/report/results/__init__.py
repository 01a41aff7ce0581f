"""What is published beside what the recipes reach: `latentlab reproduce`."""
