"""Parameters of the pretraining pipeline."""

from typing import Literal

from pydantic import Field, model_validator

from diffaug_pipeline.detection.options import LossGains
from diffaug_pipeline.options import Options


class PoolOptions(Options):
    """Where Fashion-MNIST comes from and how it is cut into pool and task."""

    folder: str | None
    """Folder with the four idx files of Fashion-MNIST (plain or .gz); null downloads them with torchvision."""
    download_folder: str
    """Where torchvision keeps its download when `folder` is null."""
    seed: int = Field(ge=0)
    """Decides which images belong to the task."""
    train_images_per_class: int = Field(ge=1)
    """Training images of the task."""
    extra_images_per_class: int = Field(ge=0)
    """Kept out of the pool like those of the task, so that tasks with more training images can be cut later."""
    val_images_per_class: int = Field(ge=1)
    """Task images for choosing checkpoints, thresholds and doses."""
    test_images_per_class: int = Field(ge=1)
    """Task images nothing but the final evaluation sees."""
    pool_val_images_per_class: int = Field(ge=1)
    """Pool images held out of pretraining, on which its quality is measured."""
    min_distance: float = Field(ge=0, le=1)
    """Mean squared pixel difference on [0, 1] below which two images count as the same picture."""


class LoopOptions(Options):
    """A training loop: AdamW, linear warm-up, cosine decay to zero."""

    steps: int = Field(ge=1)
    """Optimisation steps."""
    batch_size: int = Field(ge=1)
    """Images per step."""
    learning_rate: float = Field(gt=0)
    """Peak learning rate."""
    warmup_steps: int = Field(ge=0)
    """Steps of linear warm-up."""
    weight_decay: float = Field(ge=0)
    """AdamW weight decay."""
    ema_decay: float = Field(ge=0, lt=1)
    """Decay per step of the moving average of the weights that is kept; 0 keeps the last weights."""
    checkpoint_every: int = Field(ge=1)
    """Steps between two saved training states."""
    seed: int = Field(ge=0)
    """Seed of initial weights, batches and noise."""

    @model_validator(mode="after")
    def _warms_up_in_time(self) -> "LoopOptions":
        if self.warmup_steps >= self.steps:
            raise ValueError(f"warmup_steps ({self.warmup_steps}) must be less than steps ({self.steps})")
        return self


class AutoencoderOptions(Options):
    """The KL autoencoder (Rombach et al. 2022, section 3.1)."""

    block_out_channels: list[int]
    """Channels per resolution, 32 px first; two more entries mean f = 4."""
    layers_per_block: int = Field(ge=1)
    """Residual layers per resolution."""
    latent_channels: int = Field(ge=1)
    """Channels of the 8x8 latent."""
    kl_weight: float = Field(ge=0)
    """Weight of the KL term, per latent element, against the mean absolute error per pixel."""
    gradient_weight: float = Field(ge=0)
    """Weight of the absolute error of horizontal and vertical differences: keeps texture sharp."""
    loop: LoopOptions


class ClipOptions(Options):
    """The small CLIP (Radford et al. 2021) and its tokenizer."""

    vocabulary_size: int = Field(ge=600)
    """Entries of the byte-level BPE vocabulary (512 of them spell any text)."""
    max_tokens: int = Field(ge=8)
    """Longest prompt in tokens; longer ones are cut."""
    text_width: int = Field(ge=8)
    """Hidden size of the text tower; also the cross-attention width of the generator."""
    text_layers: int = Field(ge=1)
    vision_width: int = Field(ge=8)
    vision_layers: int = Field(ge=1)
    patch_size_px: int = Field(ge=1)
    attention_heads: int = Field(ge=1)
    """Heads in both towers."""
    projection_width: int = Field(ge=8)
    """Size of the shared embedding."""
    max_shift_px: int = Field(ge=0)
    """Training images are shifted by up to this many pixels."""
    loop: LoopOptions


class SceneClipOptions(Options):
    """The CLIP, taught further on garments in scenes; its text tower stays as it is."""

    scenes: int = Field(ge=1)
    """Scenes of pool garments whose crops are drawn from."""
    context: float = Field(ge=0)
    """Crops are larger than the box by this share on each side."""
    jitter: float = Field(ge=0)
    """Standard deviation of the sides of the boxes, as a share of the box, by which crops miss."""
    plain_share: float = Field(ge=0, lt=1)
    """Share of a batch that shows pool pictures as they are."""
    loop: LoopOptions


class DenoiserOptions(Options):
    """The text-conditional latent UNet."""

    block_out_channels: list[int]
    """Channels per latent resolution, 8x8 first; the last one carries cross-attention."""
    layers_per_block: int = Field(ge=1)
    attention_heads: int = Field(ge=1)
    caption_dropout: float = Field(ge=0, le=1)
    """Share of training captions replaced by the empty one, for classifier-free guidance."""
    attribute_probability: float = Field(ge=0, le=1)
    """Chance that a caption names tone, and, independently, pattern."""
    min_snr_gamma: float = Field(gt=0)
    """Clamp of the loss weight by signal-to-noise ratio (Hang et al. 2023, equation 5)."""
    loop: LoopOptions


class QualityOptions(Options):
    """How the finished models are measured."""

    images_per_class: int = Field(ge=1)
    """Generated images per class."""
    scenes: int = Field(ge=1)
    """Scenes of held-out garments."""
    num_inference_steps: int = Field(ge=1)
    guidance_scale: float = Field(ge=1)
    batch_size: int = Field(ge=1)
    seed: int = Field(ge=0)


class SceneOptions(Options):
    """What a fashion scene looks like."""

    size_px: int = Field(ge=32, multiple_of=32)
    """Width and height."""
    min_garments: int = Field(ge=1)
    max_garments: int = Field(ge=1)
    """Garments of a scene, before those are left out that find no room."""
    min_scale: float = Field(gt=0)
    max_scale: float = Field(gt=0)
    """Of the 28 px garments; the logarithm is uniform."""
    max_degrees: float = Field(ge=0, le=180)
    """Garments are turned by up to this, to either side."""
    min_visible: float = Field(gt=0, le=1)
    """Share of itself that every garment keeps showing."""


class DetectorOptions(Options):
    """The class-agnostic stand-in for detectors pretrained on COCO."""

    architecture: str
    """A model of Ultralytics, e.g. yolo11n."""
    scenes: int = Field(ge=1)
    """Scenes of pool garments drawn beforehand; each step draws from these."""
    gains: LossGains
    loop: LoopOptions


class SceneTaskOptions(Options):
    """The detection task cut from the same pool."""

    scenes: dict[Literal["train", "val", "test"], int]
    """Per split."""
    seed: int = Field(ge=0)
