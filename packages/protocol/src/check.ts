/**
 * Checks at the borders of a program: JSON from the other side, and options from a caller.
 *
 * @packageDocumentation
 */
export {
  asAnything,
  asArray,
  asBoolean,
  asCount,
  asInteger,
  asNumber,
  asObject,
  asOptional,
  asPosition,
  asString,
  assertType,
  type Check,
  type FieldChecks,
} from './check/json.js';
export { type OptionNames, optionProblem } from './check/option-problem.js';
