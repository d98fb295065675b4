"""Throughput of the diffusion synthesizer against a plain loop over its pipeline, and how few steps are enough.

python benchmarks/synthesizer_throughput.py --ct-patches DIR [--backgrounds DIR] [--scenes 96] [--threads 2]
python benchmarks/synthesizer_throughput.py --full-size [--device cuda] [--batch 16]

The first times, alternately in one run, what one would write (one window at a time, 50 DDIM steps) and the synthesizer
as it is used, then gives the distances to real nodules by sampler and steps. The second builds a denoiser of Stable
Diffusion 2's size with random weights, and gives scenes per second and the share of the device's matrix rate.
"""

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch

from synnodtest.evaluation.credibility import of_planted
from synnodtest.evaluation.measured import plant
from synnodtest.evaluation.synthesizer import domains, of_series
from synnodtest.shipped import shipped_model
from synnodtest.synthesizers.diffusion import DiffusionSynthesizer

PLAIN = {"sampler": "ddim", "steps": 50, "batch_size": 1, "fitted": False}
TRIED = [("dpm++", 4), ("dpm++", 6), ("dpm++", 8), ("dpm++", 12), ("ddim", 12), ("ddim", 50)]


def rate(synthesizer, pairs, one_by_one):
    """Scenes per second."""
    started = time.perf_counter()
    if one_by_one:
        for scene, background in pairs:
            synthesizer.synthesize([scene], [background])
    else:
        synthesizer.synthesize([scene for scene, _ in pairs], [background for _, background in pairs])
    return len(pairs) / (time.perf_counter() - started)


def side_by_side(model, pairs, rounds):
    """Median scenes per second of both, and the median of the ratios round by round."""
    plain, ours = DiffusionSynthesizer(model, **PLAIN), DiffusionSynthesizer(model)
    rate(ours, pairs[:2], one_by_one=False)
    rate(plain, pairs[:1], one_by_one=True)
    rates = []
    for number in range(rounds):
        chunk = [pairs[k % len(pairs)] for k in range(32 * number, 32 * number + 32)]
        rates.append((rate(plain, chunk[:4], one_by_one=True), rate(ours, chunk, one_by_one=False)))
        print(f"round {number + 1}: loop {rates[-1][0]:.2f}, synthesizer {rates[-1][1]:.2f} scenes/s", flush=True)
    table = np.asarray(rates)
    return {
        "loop_scenes_per_second": float(np.median(table[:, 0])),
        "synthesizer_scenes_per_second": float(np.median(table[:, 1])),
        "ratio": float(np.median(table[:, 1] / table[:, 0])),
    }


def by_steps(model, pairs, ct_patches):
    """Kernel and energy distance to real nodules, by sampler and steps."""
    real = plant(of_series(ct_patches, held_out=True), pairs)
    rows = []
    for sampler, steps in TRIED:
        made = plant(DiffusionSynthesizer(model, sampler=sampler, steps=steps), pairs)
        found = of_planted(made, real)["distances"]
        rows.append({"sampler": sampler, "steps": steps, "redraws": made.redraws, **found})
        kernel, energy = found["kernel"], found["energy"]
        print(
            f"{sampler:>6} {steps:>3}: kernel {kernel['synthetic_to_real']:+.3f} "
            f"(real {kernel['real_to_real_mean']:+.3f}), energy {energy['synthetic_to_real']:.3f} "
            f"(real {energy['real_to_real_mean']:.3f}), {made.redraws} drawn again",
            flush=True,
        )
    return rows


def full_size(device, batch, steps, precision):
    """Scenes per second with random weights at Stable Diffusion 2's size (U-Net, 256-pixel windows)."""
    from diffusers import UNet2DConditionModel
    from torch.utils.flop_counter import FlopCounterMode

    torch.manual_seed(0)
    with torch.device(device):
        unet = UNet2DConditionModel(
            sample_size=64,
            in_channels=9,
            out_channels=4,
            cross_attention_dim=32,
            attention_head_dim=(5, 10, 20, 20),
            use_linear_projection=True,
        ).to(precision)
        latent = torch.randn(2 * batch, 9, 32, 32, dtype=precision)
        context = torch.randn(2 * batch, 70, 32, dtype=precision)
    unet.eval()
    with torch.no_grad():
        with FlopCounterMode(display=False) as counter:
            unet(latent, 10, encoder_hidden_states=context)
        seconds = fastest(lambda: unet(latent, 10, encoder_hidden_states=context), device)
    size = 8192 if device == "cuda" else 2048
    a = torch.randn(size, size, dtype=precision, device=device)
    peak = 2 * size**3 / fastest(lambda: a @ a, device)
    flops = counter.get_total_flops()
    return {
        "parameters": sum(p.numel() for p in unet.parameters()),
        "scenes_per_second": batch / (steps * seconds),
        "flop_per_second": flops / seconds,
        "matrix_rate": peak,
        "share_of_matrix_rate": flops / seconds / peak,
    }


def fastest(call, device, repeats=5):
    """Median seconds of a call, after one to warm up."""
    taken = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        call()
        if device == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - started)
    return float(np.median(taken[1:]))


def main():
    """Run what the arguments ask for and print it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=None, help="a model folder (the shipped one)")
    parser.add_argument("--phantoms", type=int, default=12)
    parser.add_argument("--backgrounds", type=Path)
    parser.add_argument("--ct-patches", type=Path, help="CT nodules; without them no distances are measured")
    parser.add_argument("--scenes", type=int, default=96, help="per kind of background")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--full-size", action="store_true")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--steps", type=int, default=12, help="denoising steps per scene at full size")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.full_size:
        precision = torch.float16 if options.device == "cuda" else torch.float32
        print(json.dumps(full_size(options.device, options.batch, options.steps, precision), indent=1))
        return
    model = options.model or shipped_model("diffusion")
    pairs = [p for g in domains(options.phantoms, options.backgrounds) for p in g.scenes(options.scenes, seed=3)]
    order = np.random.default_rng(0).permutation(len(pairs))
    result = {"threads": options.threads, **side_by_side(model, [pairs[k] for k in order], options.rounds)}
    if options.ct_patches:
        result["by_steps"] = by_steps(model, pairs, options.ct_patches)
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
