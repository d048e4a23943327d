/** Checks a synchronous property. The type of `fc.assert` leaves open whether there is a promise to wait for. */
import * as fc from 'fast-check';

/** @throws Error with a counterexample and the seed that finds it again */
export function holds<Values>(property: fc.IProperty<Values>, parameters?: fc.Parameters<Values>): void {
  const pending: unknown = fc.assert(property, parameters);
  if (pending !== undefined) throw new TypeError('the property is asynchronous');
}
