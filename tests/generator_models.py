"""Generators of several families, of the real classes at tiny size, built from config."""

from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DiffusionPipeline,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from peft import LoraConfig, get_peft_model_state_dict
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3Model,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
)

from diffaug_pipeline.pretraining.tokenizer import train_tokenizer

MAX_TOKENS = 24
NOISE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def save_tiny_sd2(folder: Path) -> Path:
    """Stable Diffusion 2: v-prediction, heads per level, the text encoder's last layer but one, as OpenCLIP's."""
    tokenizer = tiny_tokenizer()
    pipeline = StableDiffusionPipeline(
        vae=tiny_autoencoder(4),
        text_encoder=CLIPTextModel(text_config(tokenizer, hidden_act="gelu")),
        tokenizer=tokenizer,
        unet=tiny_unet(attention_head_dim=(1, 2), use_linear_projection=True, cross_attention_dim=16),
        scheduler=DDIMScheduler(
            prediction_type="v_prediction", set_alpha_to_one=False, clip_sample=False, steps_offset=1, **NOISE
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    return save(pipeline, folder)


def save_tiny_sdxl(folder: Path) -> Path:
    """Stable Diffusion XL: two text encoders, whose pooled embedding and the picture's size go into the timestep."""
    first, second = tiny_tokenizer(), tiny_tokenizer()
    second.pad_token = "!"  # as published: the second encoder pads with another token
    pipeline = StableDiffusionXLPipeline(
        vae=tiny_autoencoder(4),
        text_encoder=CLIPTextModel(text_config(first)),
        text_encoder_2=CLIPTextModelWithProjection(text_config(second, hidden_act="gelu", projection_dim=16)),
        tokenizer=first,
        tokenizer_2=second,
        unet=tiny_unet(
            attention_head_dim=(1, 2),
            transformer_layers_per_block=(1, 2),
            use_linear_projection=True,
            cross_attention_dim=32,
            addition_embed_type="text_time",
            addition_time_embed_dim=8,
            projection_class_embeddings_input_dim=16 + 6 * 8,
        ),
        scheduler=EulerDiscreteScheduler(steps_offset=1, timestep_spacing="leading", **NOISE),
        add_watermarker=False,
    )
    return save(pipeline, folder)


def save_tiny_sd3(folder: Path) -> Path:
    """Stable Diffusion 3: flow matching by a transformer, three text encoders."""
    first, second, third = tiny_tokenizer(), tiny_tokenizer(), t5_tokenizer()
    pipeline = StableDiffusion3Pipeline(
        transformer=SD3Transformer2DModel(
            sample_size=8,
            patch_size=1,
            in_channels=16,
            out_channels=16,
            num_layers=2,
            attention_head_dim=8,
            num_attention_heads=2,
            joint_attention_dim=32,
            caption_projection_dim=16,
            pooled_projection_dim=32,
            pos_embed_max_size=16,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=flow_autoencoder(16),
        text_encoder=CLIPTextModelWithProjection(text_config(first, projection_dim=16)),
        tokenizer=first,
        text_encoder_2=CLIPTextModelWithProjection(text_config(second, hidden_act="gelu", projection_dim=16)),
        tokenizer_2=second,
        text_encoder_3=t5_encoder(third, width=32),
        tokenizer_3=third,
    )
    return save(pipeline, folder)


def save_tiny_flux(folder: Path) -> Path:
    """FLUX.1 schnell: flow matching, CLIP's pooled embedding and T5's sentence, no guidance embedded."""
    return save(flux_pipeline(guidance_embeds=False), folder)


def save_tiny_flux_dev(folder: Path) -> Path:
    """FLUX.1 dev: the same, told the guidance scale it was distilled for."""
    return save(flux_pipeline(guidance_embeds=True), folder)


def flux_pipeline(guidance_embeds: bool) -> FluxPipeline:
    """For `save_tiny_flux`."""
    first, second = tiny_tokenizer(), t5_tokenizer()
    return FluxPipeline(
        transformer=FluxTransformer2DModel(
            patch_size=1,
            in_channels=16,
            num_layers=1,
            num_single_layers=1,
            attention_head_dim=16,
            num_attention_heads=2,
            joint_attention_dim=16,
            pooled_projection_dim=16,
            axes_dims_rope=(4, 4, 8),
            guidance_embeds=guidance_embeds,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0),
        vae=flow_autoencoder(4),
        text_encoder=CLIPTextModel(text_config(first)),
        tokenizer=first,
        text_encoder_2=t5_encoder(second, width=16),
        tokenizer_2=second,
    )


def save_tiny_z_image(folder: Path) -> Path:
    """Z-Image: flow matching; a language model reads as many tokens as the sentence has."""
    words = {word: number for number, word in enumerate(["<pad>", *LETTERS, " ", ",", "."])}
    speller = Tokenizer(models.WordLevel(words, unk_token="."))
    speller.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=speller, pad_token="<pad>", unk_token=".")
    tokenizer.chat_template = "{% for message in messages %}{{ message['content'] }}{% endfor %}."
    pipeline = ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=flow_autoencoder(4),
        text_encoder=Qwen3Model(
            Qwen3Config(
                vocab_size=len(words),
                hidden_size=16,
                intermediate_size=16,
                num_hidden_layers=2,
                num_attention_heads=2,
                num_key_value_heads=2,
                head_dim=8,
            )
        ),
        tokenizer=tokenizer,
        transformer=ZImageTransformer2DModel(
            in_channels=4,
            dim=32,
            n_layers=1,
            n_refiner_layers=1,
            n_heads=2,
            n_kv_heads=2,
            cap_feat_dim=16,
            axes_dims=(4, 4, 8),
            axes_lens=(512, 32, 32),
        ),
    )
    return save(pipeline, folder)


BUILDERS: dict[str, Callable[[Path], Path]] = {
    "sd2": save_tiny_sd2,
    "sdxl": save_tiny_sdxl,
    "sd3": save_tiny_sd3,
    "flux": save_tiny_flux,
    "flux_dev": save_tiny_flux_dev,
    "z_image": save_tiny_z_image,
}


def save_tiny_lora(folder: Path, model: Path, seed: int = 0) -> Path:
    """A random adapter of the unet's cross-attention, as diffusers' training scripts save it."""
    unet = UNet2DConditionModel.from_pretrained(model, subfolder="unet")
    unet.add_adapter(LoraConfig(r=2, target_modules=["to_q", "to_v"]))
    torch.manual_seed(seed)
    weights = {name: torch.randn_like(tensor) for name, tensor in get_peft_model_state_dict(unet).items()}
    StableDiffusionPipeline.save_lora_weights(folder, unet_lora_layers=weights)
    return folder


def save(pipeline: DiffusionPipeline, folder: Path) -> Path:
    """In the folder, as a hub model would be."""
    pipeline.save_pretrained(folder)
    return folder


def tiny_tokenizer() -> CLIPTokenizer:
    """CLIP's class; the weights that follow it are always the same."""
    torch.manual_seed(0)
    return train_tokenizer(vocabulary_size=600, max_tokens=MAX_TOKENS)


def t5_tokenizer() -> T5Tokenizer:
    """Spells."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), *((letter, -3.0) for letter in LETTERS)]
    return T5Tokenizer(vocab=pieces, extra_ids=0, model_max_length=MAX_TOKENS)


def t5_encoder(tokenizer: T5Tokenizer, width: int) -> T5EncoderModel:
    """One layer."""
    return T5EncoderModel(
        T5Config(vocab_size=len(tokenizer), d_model=width, d_kv=8, d_ff=16, num_layers=1, num_heads=2)
    )


def text_config(tokenizer: CLIPTokenizer, num_hidden_layers: int = 2, **changes) -> CLIPTextConfig:
    """16 wide."""
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=16,
        intermediate_size=16,
        num_attention_heads=2,
        num_hidden_layers=num_hidden_layers,
        max_position_embeddings=MAX_TOKENS,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **changes,
    )


def tiny_unet(**changes) -> UNet2DConditionModel:
    """Two levels."""
    return UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        layers_per_block=1,
        norm_num_groups=4,
        **changes,
    )


def tiny_autoencoder(latent_channels: int, **changes) -> AutoencoderKL:
    """Halves a picture's sides."""
    return AutoencoderKL(
        block_out_channels=(8, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=latent_channels,
        norm_num_groups=4,
        sample_size=16,
        **changes,
    )


def flow_autoencoder(latent_channels: int) -> AutoencoderKL:
    """As flow-matching families have it: shifted latents, no convolution between encoder and latents."""
    return tiny_autoencoder(latent_channels, shift_factor=0.06, use_quant_conv=False, use_post_quant_conv=False)
