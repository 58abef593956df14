"""What a person sees: tables, charts, sentences, one page."""
