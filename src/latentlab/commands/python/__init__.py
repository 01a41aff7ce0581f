"""latentlab in Python: `import latentlab as ll`; its names are listed in `latentlab/__init__.py`."""
