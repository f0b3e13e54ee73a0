"""A request typed into a page -> pictures, drawn by the engine that runs use. Knows no page and no Kedro."""
