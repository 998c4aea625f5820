// What comes with Scala: as much of it as tells of which type an expression is.
package java.lang
class Object
class String extends Object
class Integer extends Object
trait CharSequence

package scala
type Iterable[A] = scala.collection.Iterable[A]
type Seq[A] = scala.collection.immutable.Seq[A]
type List[A] = scala.collection.immutable.List[A]
type Vector[A] = scala.collection.immutable.Vector[A]
type Set[A] = scala.collection.immutable.Set[A]
type Map[K, V] = scala.collection.immutable.Map[K, V]
type Range = scala.collection.immutable.Range
class Int {
  def to(end: Int): scala.collection.immutable.Range
  def until(end: Int): scala.collection.immutable.Range
}
class Long
class Double
class Boolean
class Option[A] extends scala.collection.Iterable[A] {
  def get: A
  def orNull: A
}
class Some[A] extends Option[A]
class Array[A] {
  def apply(i: Int): A
  def toSeq: scala.collection.immutable.Seq[A]
  def toList: scala.collection.immutable.List[A]
}
class Tuple2[A, B] {
  def _1: A
  def _2: B
  def swap: (B, A)
}

package scala.collection
trait Iterable[A] {
  def head: A
  def last: A
  def filter(p: A => Boolean): Iterable[A]
  def filterNot(p: A => Boolean): Iterable[A]
  def map[B](f: A => B): Iterable[B]
  def flatMap[B](f: A => Iterable[B]): Iterable[B]
  def zip[B](that: Iterable[B]): Iterable[(A, B)]
  def zipWithIndex: Iterable[(A, scala.Int)]
  def take(n: scala.Int): Iterable[A]
  def drop(n: scala.Int): Iterable[A]
  def toSeq: scala.collection.immutable.Seq[A]
  def toList: scala.collection.immutable.List[A]
  def toVector: scala.collection.immutable.Vector[A]
  def toSet: scala.collection.immutable.Set[A]
  def toMap[K, V](implicit ev: A <:< (K, V)): scala.collection.immutable.Map[K, V]
}

package scala.collection.immutable
trait Seq[A] extends scala.collection.Iterable[A] {
  def apply(i: scala.Int): A
  def reverse: Seq[A]
}
object Seq { def apply[A](elems: A): Seq[A] }
class List[A] extends Seq[A]
object List { def apply[A](elems: A): List[A] }
class Vector[A] extends Seq[A]
object Vector { def apply[A](elems: A): Vector[A] }
class Range extends Seq[scala.Int]
trait Set[A] extends scala.collection.Iterable[A]
object Set { def apply[A](elems: A): Set[A] }
trait Map[K, V] extends scala.collection.Iterable[(K, V)] {
  def apply(key: K): V
  def get(key: K): scala.Option[V]
  def keys: scala.collection.Iterable[K]
  def values: scala.collection.Iterable[V]
  def keySet: Set[K]
}
