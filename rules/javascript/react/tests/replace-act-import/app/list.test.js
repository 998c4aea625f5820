import TestUtils, { act, Simulate } from 'react-dom/test-utils';

act(() => Simulate.click(node));
TestUtils.act(() => root.render(list));
TestUtils.renderIntoDocument(list);
