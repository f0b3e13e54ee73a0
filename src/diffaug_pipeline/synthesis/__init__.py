"""Makes the images of a plan with any diffusers pipeline. Knows plans and pixels, no storage and no Kedro."""
