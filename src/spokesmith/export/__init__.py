"""Export: trained spokes in files that other engines load."""
