"""The model's fused operations in four versions, chosen at run time: AMX, AVX512-BF16 and AVX2 kernels, plain PyTorch (any device).

Each backend has dtype (of activations between matrices), add_norm, attention, swiglu and cross_entropy. The residual stream is float32 everywhere.
DROVER_TRAIN_OPS=amx|avx512|avx2|torch forces one.
"""
import ctypes
import glob
import os
import subprocess

import torch
import torch.nn.functional as F

HERE = os.path.dirname(os.path.abspath(__file__))
_pointer = lambda t: ctypes.c_void_p(t.data_ptr() if t is not None else 0)
_long = ctypes.c_long


def pick(name=None):
    """The best backend that this machine can run."""
    name = name or os.environ.get("DROVER_TRAIN_OPS", "")
    if not name:
        if torch.cuda.is_available():
            return Torch()
        try:
            flags = open("/proc/cpuinfo").read()
        except OSError:
            flags = ""
        name = "amx" if "amx_bf16" in flags and "avx512_bf16" in flags else "avx512" if "avx512_bf16" in flags else \
            "avx2" if " avx2 " in flags and " fma " in flags else "torch"
    return Torch() if name == "torch" else Kernels(name)


FLAGS = {"avx2": ["-mavx2", "-mfma"], "avx512": ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mavx512bf16"]}
FLAGS["amx"] = FLAGS["avx512"] + ["-mamx-tile", "-mamx-bf16"]


def _library(name):
    """Compiles kernels_NAME.c when it is newer than the library, and loads it."""
    source, library = os.path.join(HERE, f"kernels_{name}.c"), os.path.join(HERE, f"kernels_{name}.so")
    if not os.path.exists(library) or os.path.getmtime(library) < max(map(os.path.getmtime, glob.glob(os.path.join(HERE, "kernels_*.c")))):
        subprocess.run(["gcc", "-O3", *FLAGS[name], "-fopenmp", "-shared", "-fPIC", "-o", library + ".new", source, "-lm"], check=True)
        os.replace(library + ".new", library)
    return ctypes.CDLL(library)


class Torch:
    """Plain PyTorch: the reference, and the version for a GPU (bfloat16 there)."""

    def __init__(self, dtype=None):
        self.name = "torch"
        self.dtype = dtype or (torch.bfloat16 if torch.cuda.is_available() else torch.float32)

    def add_norm(self, x, delta, weight):
        x = x if delta is None else x + delta.float()
        return x, (x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-5) * weight).to(self.dtype)

    def attention(self, qkv, cos, sin, batch, length, heads, kv_heads):
        q, k, v = qkv.view(batch, length, -1, 32).transpose(1, 2).split([heads, kv_heads, kv_heads], 1)
        cos, sin = cos[:length], sin[:length]

        def rotate(x):
            a, b = x.float().chunk(2, -1)
            return torch.cat((a * cos - b * sin, b * cos + a * sin), -1).to(self.dtype)

        share = heads // kv_heads
        q, k, v = rotate(q), rotate(k).repeat_interleave(share, 1), v.repeat_interleave(share, 1)
        scores = (q @ k.transpose(-1, -2)).float() * 32 ** -0.5
        mask = torch.ones(length, length, dtype=torch.bool, device=qkv.device).triu(1)
        out = torch.softmax(scores.masked_fill(mask, float("-inf")), -1).to(v.dtype) @ v
        return out.transpose(1, 2).reshape(batch, length, heads * 32)

    def swiglu(self, gate_up):
        gate, up = gate_up.chunk(2, -1)
        return F.silu(gate) * up

    def cross_entropy(self, logits, targets, weights):
        """(loss weighted by weights, which add up to 1; per position whether the target has the highest logit)"""
        logits = logits.float()
        return (F.cross_entropy(logits, targets, reduction="none") * weights).sum(), logits.detach().argmax(-1) == targets


class Kernels:
    """The C kernels through ctypes. amx, avx512: activations and their gradients in bfloat16; avx2: float32."""

    def __init__(self, name):
        self.name = name
        half = name != "avx2"
        self.dtype = dtype = torch.bfloat16 if half else torch.float32
        library = _library(name)
        if name == "amx" and library.amx_request() != 0:
            raise OSError("the system does not grant the AMX registers; set DROVER_TRAIN_OPS=avx512")
        attention_forward, attention_backward = (library.amx_attn_f, library.amx_attn_b) if name == "amx" else (library.attn_f, library.attn_b)

        class AddNorm(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x, delta, w):
                d = x.shape[-1]
                n = x.numel() // d
                y, scale = torch.empty(x.shape, dtype=dtype), torch.empty(n)
                out = torch.empty_like(x) if delta is not None else x
                library.addnorm_f(_pointer(x), _pointer(delta), _pointer(w), _pointer(out if delta is not None else None),
                                  _pointer(y), _pointer(scale), _long(n), _long(d))
                ctx.save_for_backward(out, w, scale)
                ctx.has_delta = delta is not None
                ctx.set_materialize_grads(False)
                return (out if delta is not None else x.view_as(x)), y

            @staticmethod
            def backward(ctx, dout, dy):
                x, w, scale = ctx.saved_tensors
                d = x.shape[-1]
                n = x.numel() // d
                dx, dw = torch.empty_like(x), torch.zeros_like(w)
                dy, dout = dy.contiguous(), dout.contiguous() if dout is not None else None
                if half:
                    ddelta = torch.empty(x.shape, dtype=dtype) if ctx.has_delta else None
                    library.addnorm_b(_pointer(x), _pointer(w), _pointer(scale), _pointer(dy), _pointer(dout), _pointer(dx),
                                      _pointer(ddelta), _pointer(dw), _long(n), _long(d))
                else:
                    library.addnorm_b(_pointer(x), _pointer(w), _pointer(scale), _pointer(dy), _pointer(dout), _pointer(dx),
                                      _pointer(dw), _long(n), _long(d))
                    ddelta = dx if ctx.has_delta else None
                return dx, ddelta, dw

        class SwiGLU(torch.autograd.Function):
            @staticmethod
            def forward(ctx, gate_up):
                f = gate_up.shape[-1] // 2
                h = torch.empty(*gate_up.shape[:-1], f, dtype=dtype)
                library.swiglu_f(_pointer(gate_up), _pointer(h), _long(gate_up.numel() // (2 * f)), _long(f))
                ctx.save_for_backward(gate_up)
                return h

            @staticmethod
            def backward(ctx, dh):
                gate_up, = ctx.saved_tensors
                f = gate_up.shape[-1] // 2
                dh, out = dh.contiguous(), torch.empty_like(gate_up)
                library.swiglu_b(_pointer(gate_up), _pointer(dh), _pointer(out), _long(gate_up.numel() // (2 * f)), _long(f))
                return out

        class Attention(torch.autograd.Function):
            @staticmethod
            def forward(ctx, qkv, cos, sin, batch, length, heads, kv_heads):
                out = torch.empty(batch, length, heads * 32, dtype=dtype)
                logsum = torch.empty(batch, heads, length)
                attention_forward(_pointer(qkv), _pointer(cos), _pointer(sin), _pointer(out), _pointer(logsum),
                               _long(batch), _long(length), _long(heads), _long(kv_heads))
                ctx.save_for_backward(qkv, cos, sin, out, logsum)
                ctx.sizes = batch, length, heads, kv_heads
                return out

            @staticmethod
            def backward(ctx, dout):
                qkv, cos, sin, out, logsum = ctx.saved_tensors
                dqkv, dout = torch.empty_like(qkv), dout.contiguous()
                attention_backward(_pointer(qkv), _pointer(cos), _pointer(sin), _pointer(out), _pointer(logsum), _pointer(dout),
                               _pointer(dqkv), *map(_long, ctx.sizes))
                return dqkv, None, None, None, None, None, None

        class CrossEntropy(torch.autograd.Function):
            @staticmethod
            def forward(ctx, logits, targets, weights):
                hit = torch.zeros(len(targets), dtype=torch.int16)
                library.cross_entropy.restype = ctypes.c_double
                loss = library.cross_entropy(_pointer(logits), _pointer(targets), _pointer(weights), _pointer(hit), _long(len(targets)), _long(logits.shape[-1]))
                ctx.save_for_backward(logits)  # now their gradient
                ctx.mark_dirty(logits)
                ctx.mark_non_differentiable(hit)
                return torch.tensor(loss, dtype=torch.float32), hit, logits

            @staticmethod
            def backward(ctx, dloss, _, __):
                return ctx.saved_tensors[0], None, None

        self.add_norm, self.swiglu, self.attention = AddNorm.apply, SwiGLU.apply, Attention.apply
        self.cross_entropy = (lambda logits, targets, weights: CrossEntropy.apply(logits.clone() if logits.is_leaf else logits, targets, weights)[:2]) if half else Torch().cross_entropy
