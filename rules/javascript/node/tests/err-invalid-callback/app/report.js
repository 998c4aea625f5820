function kind(error) {
  switch (error.code) {
    case 'ERR_INVALID_CALLBACK':
      return 'callback';
    default:
      return error.message.includes("ERR_INVALID_CALLBACK") ? 'callback' : 'other';
  }
}

function isArgument(error) {
  return error.code === 'ERR_INVALID_CALLBACK' || error.code === 'ERR_INVALID_ARG_TYPE';
}

console.info('ERR_INVALID_CALLBACK', kind, isArgument);
