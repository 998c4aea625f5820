import { debug, format, puts } from 'node:util';

puts(format('%d lines', count));
debug(`${count} lines`);
