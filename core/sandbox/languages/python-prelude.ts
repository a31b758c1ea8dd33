/**
 * The code that runs in MicroPython before a script. It passes texts between script and driver, and is written as text
 * because it runs in another engine. It replaces `uctypes`, which would show memory that belongs to no Python value,
 * and `js` and `jsffi`, which lead nowhere here.
 */
export const PRELUDE: string = `
import json as _json, sys as _sys
class _Nothing: pass
for _name in ('uctypes', 'js', 'jsffi', 'vfs'): _sys.modules[_name] = _Nothing
def _no_input(*_): raise OSError('a script has no standard input: what it works on is its argument')
def _function(source, names, what):
    space = {'__name__': '__main__', 'input': _no_input}
    try:
        value = eval(source.strip(), space)
    except SyntaxError:
        exec(source, space)
        for name in names:
            if name in space:
                value = space[name]
                break
        else:
            raise TypeError('the ' + what + ' defines no function ' + names[0])
    if not callable(value):
        raise TypeError('the ' + what + ' is no function but ' + str(type(value)))
    return value
def _load(source):
    global _task
    _task = _function(source, ('task',), 'script')
    return 'n'
def _load_reduce(source):
    global _reduce
    _reduce = _function(source, ('reduce',), 'reduction')
    return 'n'
def _written(value, form):
    if form != 'v':
        if value is None: return 'n'
        if type(value) is str: return 't' + value
    return 'j' + _json.dumps(value)
def _call(text):
    form = text[0]
    seed, _, text = text[1:].partition(' ')
    if seed:
        import random
        random.seed(int(seed))
    return _written(_task(_json.loads(text) if form in 'vn' else text), form)
def _fold(text):
    values = _json.loads(text)
    all = values[0]
    for value in values[1:]: all = _reduce(all, value)
    return _written(all, 'v')
`;
