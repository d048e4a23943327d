/**
 * A name as a small coloured circle. Decoration beside the name, so it is not read out.
 */
import type { VNode } from 'preact';
import { initial, nameHue } from '../../text/name-mark.js';

export function Avatar({ name, small = false }: { readonly name: string; readonly small?: boolean }): VNode {
  return (
    <span class={small ? 'avatar small' : 'avatar'} style={{ '--hue': nameHue(name) }} aria-hidden="true">
      {initial(name)}
    </span>
  );
}
