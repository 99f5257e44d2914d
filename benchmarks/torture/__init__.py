"""Torture: what framekeep promises about files, tried hard to break. Each script adds its counts to record.jsonl."""
