"""Keepers: the rules that compare the evidence of the original with a variant's, and say what the variant costs."""
