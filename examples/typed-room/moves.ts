/** What a message in the room `chess` is: one file, for the server and its clients. */
import { jsonCodec, withSchema } from '@chat/protocol';
import { z } from 'zod';

const square = z.string().regex(/^[a-h][1-8]$/);

export const Move = z.object({
  from: square,
  to: square,
  // Optional, so that moves from before it was thought of can still be read.
  promotion: z.enum(['queen', 'rook', 'bishop', 'knight']).optional(),
});

export type Move = z.infer<typeof Move>;

export const moveCodec = withSchema(jsonCodec, Move);
