/**
 * The few pictograms of the interface, drawn with one pen. They are decoration: what they stand for is said
 * in the label of the button around them.
 */
import type { VNode } from 'preact';

const PATHS = {
  add: 'M12 5v14M5 12h14',
  answer: 'M10 6 4 12l6 6M4 12h10a6 6 0 0 1 6 6v1',
  alert: 'M12 8v5M12 16.500v.01M12 3.500 21 19.500H3Z',
  check: 'm5 12.500 4.500 4.500L19 7.500',
  close: 'm6 6 12 12M18 6 6 18',
  clock: 'M12 7v5l3 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z',
  down: 'M12 5v14M6 13l6 6 6-6',
  leave: 'M10 4H5v16h5M10 12h11M17 8l4 4-4 4',
  menu: 'M4 7h16M4 12h16M4 17h16',
  more: 'M6 12v.01M12 12v.01M18 12v.01',
  people:
    'M9 11a3.500 3.500 0 1 0 0-7 3.500 3.500 0 0 0 0 7ZM2.500 20c.500-3.800 3-6 6.500-6s6 2.200 6.500 6M16 4.300a3.500 3.500 0 0 1 0 6.400M18 14.500c2 .800 3.200 2.700 3.500 5.500',
  search: 'M10.500 4a6.500 6.500 0 1 0 0 13 6.500 6.500 0 0 0 0-13ZM15.500 15.500 20 20',
  send: 'M4 12 20 4l-5 16-3.500-6.500Z M11.500 13.500 20 4',
  settings:
    'M4 7h9M17 7h3M4 17h3M11 17h9M15 4.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5ZM9 14.500a2.500 2.500 0 1 0 0 5 2.500 2.500 0 0 0 0-5Z',
  smile:
    'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18ZM8.500 14c.800 1.500 2 2.300 3.500 2.300s2.700-.800 3.500-2.300M9 9.500v.500M15 9.500v.500',
} as const;

/** Name of a pictogram. */
export type IconName = keyof typeof PATHS;

export function Icon({ name }: { readonly name: IconName }): VNode {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
