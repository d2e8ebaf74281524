import { DEFAULT_PACK } from '#contract/request.js';

/** Help text shared by the commands that make pictures. */
export const COMMON_HELP = `
Options:
  -i, --instruction TEXT      what should change, or what to show
  --pack NAME                 which model pack (default ${DEFAULT_PACK})
  --preset PRESET             best, balanced, fast or draft (default balanced)
  --control canny|depth|MAP   hold edges or depth of the picture, or of a ready map
  --control-kind KIND  what a ready map shows: canny (default), depth, hed, lineart, segmentation or normal
  --depth-pack NAME           the pack that estimates depth (default: the pack that draws)
  --strength S                how strongly the control holds, 0..1 (default 1)
  --low N, --high N, --blur S how edges are looked for (default 100, 200, 0)
  --near N, --far F, --invert how depth is read, as in "scalebrush control"
  --scales A-B                the scales that the control holds
  --padded                    (edit) show the picture on a white square, as VAREdit's published code does
  --whole                     (edit, fill, expand) take the model's picture as it is, not only what changed
  --structure K               keep the picture's own first K scales
  --scale-count N             (packs of any scales) draw in so many: few are a draft
  --model-side PX             (packs of any size) draw as large as a square of this side
  --blend PX                  width of the soft edge around the mask
  --opacity O                 (edit, fill) how strongly the result lies over the picture, 0..1 (default 1)
  --detail auto|off|L         (edit, fill, expand) finish with the photograph's own pixels, led by the model so far: 0..3
  --no-copy MASK              white parts are not copied from
  --copy-only MASK            only white parts are copied from
  --guidance G                classifier-free guidance by the words; 1 = off (not given: the pack’s own, which may be by the control)
  --guidance-until K          scales behind K run without guidance, at half the work
  --temperature T[,T…]        0 = always the likeliest token; several = a curve from the first scale to the last
  --argmax                    the same as --temperature 0
  --top-k K, --top-p P        draw only from the likeliest values
  --redraw SCALE:SHARE        draw the least certain tokens of a scale again, a share of 0..1, and what is finer after them
                              (HMAR's own; of other packs experimental); --force-tokens names the picture, else the seed does
  --redraw-seed N             what those tokens are drawn by (default: the seed)
  --seed N                    same seed, same picture (default 0); -1 draws one and says which
  -n, --count COUNT           that many candidates: OUT-1.png, OUT-2.png …
  --provider PROVIDER         auto, cpu, webgpu, cuda, dml or coreml (default auto)
  --previews DIR              the picture after every scale: DIR/scale-01.png …
  --tokens-out FILE           the tokens of the result, for "scalebrush decode"
  --force-tokens FILE         predict along given tokens instead of sampled ones
  --logits-out DIR            raw logits: DIR/scale-01.npy …, float32 [B, l, V]
  --crop WxH+X+Y              (edit, fill, expand) that part of the picture; masks go along
  --straighten DEGREES        (edit, fill, expand) clockwise, -45..45; without --crop its corners are cut off
  --turn 90|180|270           (edit, fill, expand) clockwise, before it is straightened and cut
  --flip                      (edit, fill, expand) left and right change places, before it is turned
  --quality Q                 of JPEG, WebP and AVIF, 1..100 (default 92)
  --resize PX                 write at most so many pixels on the longer side
  --sharpen screen|print      sharpen for where it will be seen
  --profile srgb|p3           write in this colour profile
  --no-recipe                 write neither words nor tokens into the picture's file
  --strip-location            leave out where the photograph was taken
  --smallest                  spend time on a smaller file of the same picture
  --json                      print one JSON object with facts and timings`;
