/** Help text shared by the commands that make pictures. */
export const COMMON_HELP = `
Options:
  -i, --instruction TEXT      what should change, or what to show
  --pack NAME                 which model pack (default sketch)
  --preset PRESET             best, balanced, fast or draft (default balanced)
  --control canny|depth|MAP   hold edges or depth of the picture, or of a ready map
  --control-kind canny|depth  what a ready map shows (default canny)
  --depth-pack NAME           the pack that estimates depth (default: the pack that draws)
  --strength S                how strongly the control holds, 0..1 (default 1)
  --low N, --high N, --blur S how edges are looked for (default 100, 200, 0)
  --near N, --far F, --invert how depth is read, as in "scalebrush control"
  --scales A-B                the scales that the control holds
  --padded                    (edit) show the picture on a white square, as VAREdit's published code does
  --structure K               keep the picture's own first K scales
  --blend PX                  width of the soft edge around the mask
  --guidance G                classifier-free guidance; 1 = off
  --temperature T             0 = always the likeliest token
  --argmax                    the same as --temperature 0
  --top-k K, --top-p P        draw only from the likeliest values
  --seed N                    same seed, same picture (default 0)
  -n, --count COUNT           that many candidates: OUT-1.png, OUT-2.png …
  --provider PROVIDER         auto, cpu, webgpu, cuda, dml or coreml (default auto)
  --previews DIR              the picture after every scale: DIR/scale-01.png …
  --tokens-out FILE           the tokens of the result, for "scalebrush decode"
  --force-tokens FILE         predict along given tokens instead of sampled ones
  --logits-out DIR            raw logits: DIR/scale-01.npy …, float32 [B, l, V]
  --no-recipe                 write neither words nor tokens into the picture's file
  --strip-location            leave out where the photograph was taken
  --json                      print one JSON object with facts and timings`;
