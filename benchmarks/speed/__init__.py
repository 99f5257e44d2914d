"""Speed: how fast framekeep is, against the paper's way and against the limit. Each script prints rows of Markdown."""
