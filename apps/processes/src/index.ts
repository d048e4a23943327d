/** What process A and process B share; what they do differently stands in each of them. */
export { type ProcessOptions, processOptions, wholeNumber } from './options.js';
export { type Behaviour, runProcess } from './process.js';
