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

/** The same for an instance of a class with private fields, which only the instance itself can reach. */
export function strictInstance(name, instance) {
  const bound = (value) => (typeof value === 'function' ? value.bind(instance) : value);
  return new Proxy(strict(name, instance), { get: (target, key) => bound(Reflect.get(target, key, instance)) });
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
