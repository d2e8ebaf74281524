import { expect, test } from 'vitest';
import { openText } from '#engine/families/open-text.js';
import { OnnxRunner } from '../../../support/onnx-runner.js';
import { tinyCard } from '../../../support/tiny-card.js';

test('a pack whose text encoder is missing opens, and says so when it is to read words', async () => {
  const text = { kind: 'features' as const, width: 8, maxTokens: 4 };
  const card = { ...tinyCard, config: { ...tinyCard.config, transformer: { ...tinyCard.config.transformer, text } } };
  const encodeText = await openText({ card, folder: '/nowhere' }, new OnnxRunner(), undefined);
  await expect(encodeText('make it red')).rejects.toMatchObject({ code: 'pack.unable' });
});
