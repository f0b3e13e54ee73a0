"""Model folders of the real classes at tiny size, built from config."""

from pathlib import Path

import torch
from diffusers import PNDMScheduler, StableDiffusionPipeline
from generator_models import NOISE, text_config, tiny_autoencoder, tiny_tokenizer, tiny_unet
from transformers import (
    BertConfig,
    BertTokenizer,
    BitImageProcessor,
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    CLIPTextModel,
    Dinov2Config,
    Dinov2Model,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoImageProcessor,
    GroundingDinoProcessor,
    Owlv2Config,
    Owlv2ForObjectDetection,
    Owlv2ImageProcessor,
    Owlv2Processor,
    SiglipConfig,
    SiglipImageProcessor,
    SiglipModel,
    SiglipProcessor,
    SwinConfig,
)

from diffaug_pipeline.pretraining.tokenizer import train_tokenizer


def save_tiny_generator(folder: Path) -> Path:
    """A random Stable Diffusion 1 pipeline for 16x16 pictures."""
    tokenizer = tiny_tokenizer()
    StableDiffusionPipeline(
        vae=tiny_autoencoder(4),
        text_encoder=CLIPTextModel(text_config(tokenizer, num_hidden_layers=1)),
        tokenizer=tokenizer,
        unet=tiny_unet(attention_head_dim=2, cross_attention_dim=16),
        scheduler=PNDMScheduler(skip_prk_steps=True, set_alpha_to_one=False, steps_offset=1, **NOISE),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    ).save_pretrained(folder)
    return folder


def save_tiny_clip(folder: Path) -> Path:
    """A CLIP with random weights, which sees 16x16 pixels and takes some cats of `factories.cats_and_dogs` for dogs."""
    torch.manual_seed(16)
    tokenizer = train_tokenizer(vocabulary_size=600, max_tokens=24)
    tower = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPConfig(
        text_config=tower
        | {
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 24,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config=tower | {"image_size": 16, "patch_size": 4},
        projection_dim=8,
    )
    CLIPModel(config).save_pretrained(folder)
    processor = CLIPImageProcessor(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    CLIPProcessor(processor, tokenizer).save_pretrained(folder)
    return folder


def save_tiny_siglip(folder: Path) -> Path:
    """A SigLIP with random weights that sees 16x16 pixels; its tokenizer pads on the left, as SigLIP2's does."""
    torch.manual_seed(2)
    tokenizer = train_tokenizer(vocabulary_size=600, max_tokens=24)
    tokenizer.padding_side = "left"
    tower = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = SiglipConfig(
        text_config=tower
        | {
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 20,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config=tower | {"image_size": 16, "patch_size": 4},
    )
    SiglipModel(config).save_pretrained(folder)
    SiglipProcessor(SiglipImageProcessor(size={"height": 16, "width": 16}), tokenizer).save_pretrained(folder)
    return folder


def save_tiny_dino(folder: Path) -> Path:
    """A DINOv2 with random weights, made for 28x28 pixels, whose processor crops to 14x14."""
    torch.manual_seed(3)
    config = Dinov2Config(hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=7)
    Dinov2Model(config).save_pretrained(folder)
    processor = BitImageProcessor(size={"shortest_edge": 16}, crop_size={"height": 14, "width": 14})
    processor.save_pretrained(folder)
    return folder


def save_tiny_owl(folder: Path) -> Path:
    """A random OWLv2 that sees 32x32 pixels in 16 patches, each a possible box."""
    torch.manual_seed(0)
    tokenizer = train_tokenizer(vocabulary_size=600, max_tokens=16)
    tower = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = Owlv2Config(
        text_config=tower
        | {
            "vocab_size": len(tokenizer),
            "max_position_embeddings": 16,
            "bos_token_id": tokenizer.bos_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            "pad_token_id": tokenizer.pad_token_id,
        },
        vision_config=tower | {"image_size": 32, "patch_size": 8},
        projection_dim=16,
    )
    model = Owlv2ForObjectDetection(config)
    with torch.no_grad():
        model.box_head.dense2.weight *= 0.05  # else half the boxes are as large as the picture and half have no area
    model.save_pretrained(folder)
    processor = Owlv2Processor(Owlv2ImageProcessor(size={"height": 32, "width": 32}), tokenizer)
    processor.save_pretrained(folder)
    return folder


def save_tiny_grounding_dino(folder: Path) -> Path:
    """A random Grounding DINO with ten queries that reads a few words."""
    torch.manual_seed(0)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "bag", "coat", "ankle", "boot"]
    tokenizer = BertTokenizer(vocab={word: number for number, word in enumerate(words)}, model_max_length=32)
    config = GroundingDinoConfig(
        backbone_config=SwinConfig(
            image_size=32,
            patch_size=2,
            embed_dim=8,
            depths=[1, 1, 1, 1],
            num_heads=[1, 1, 1, 1],
            window_size=2,
            out_indices=[2, 3, 4],
        ),
        text_config=BertConfig(
            vocab_size=len(words),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=16,
            max_position_embeddings=32,
        ),
        d_model=32,
        encoder_layers=1,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=16,
        decoder_ffn_dim=16,
        num_queries=10,
        max_text_len=32,
    )
    GroundingDinoForObjectDetection(config).save_pretrained(folder)
    image_processor = GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 128})
    GroundingDinoProcessor(image_processor, tokenizer).save_pretrained(folder)
    return folder
