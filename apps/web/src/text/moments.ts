/**
 * Times as people read them: the clock beside a message, the day above a group of them.
 */

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const WHOLE = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'medium' });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const DAY_OF_YEAR = new Intl.DateTimeFormat(undefined, { dateStyle: 'long' });
const DAY_MS = 86_400_000;

/** Hours and minutes. */
export function clockTime(at: number): string {
  return CLOCK.format(at);
}

/** Day and time in full, for who wants to know exactly. */
export function wholeTime(at: number): string {
  return WHOLE.format(at);
}

/** Whether two moments are on the same day of the calendar here. */
export function isSameDay(a: number, b: number): boolean {
  if (Math.abs(a - b) >= DAY_MS) return false;
  return new Date(a).getDate() === new Date(b).getDate();
}

/** The day as a heading. */
export function dayName(at: number, now: number): string {
  if (isSameDay(at, now)) return 'Today';
  if (isSameDay(at, now - DAY_MS)) return 'Yesterday';
  const sameYear = new Date(at).getFullYear() === new Date(now).getFullYear();
  return (sameYear ? DAY : DAY_OF_YEAR).format(at);
}
