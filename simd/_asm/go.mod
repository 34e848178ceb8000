module github.com/drover-ai/drover/simd/_asm

go 1.25.0
