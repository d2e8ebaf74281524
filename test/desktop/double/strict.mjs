/** An object whose unknown members throw: what the application uses and the double lacks is found at once. */
export function strict(name, members) {
  return new Proxy(members, {
    get(target, key, receiver) {
      const quiet = typeof key === 'symbol' || ['then', 'toJSON', 'constructor', 'prototype'].includes(key);
      if (key in target || quiet) return Reflect.get(target, key, receiver);
      throw new Error(`The double has no ${name}.${key}.`);
    },
  });
}

/** An event whose default can be prevented. */
export function preventable(members = {}) {
  return {
    ...members,
    defaultPrevented: false,
    preventDefault() {
      this.defaultPrevented = true;
    },
  };
}
