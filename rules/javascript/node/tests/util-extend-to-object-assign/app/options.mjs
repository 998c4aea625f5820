import { _extend as extend, inspect } from 'node:util';

export const options = (given) => extend(extend({}, defaults), given);
export const shown = (given) => inspect(given);
