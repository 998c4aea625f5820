const util = require('util');

server.on('listening', () => util.log('listening on', port));
server.on('error', util.log);
