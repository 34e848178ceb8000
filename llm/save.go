package llm

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"unsafe"
)

// A saved session is a header and then one record for each block of the KV cache, in a fixed place, so that saving again
// writes only what is new:
//
//	magic [8]byte, model [32]byte, blockElements uint32, blockLength uint32, tokens uint32, crc of these uint32, zero [8]byte
//	per block: tokens [blockLength]int32, crc of tokens and data uint32, zero [60]byte, data [blockElements]float16
//
// All numbers are little-endian. Data begin on a cache line's border, so that a session that is loaded works on the mapped
// file: it costs no copy, and page cache instead of memory. Blocks that are filled are therefore never changed in a file
// that somebody has mapped; only the last one, which is read, is written again when the session grows.
const (
	savedMagic  = "drvkv\x00\x00\x03"
	savedHeader = 64
	savedTokens = kvBlockLength*4 + 64
)

// savedMapping is the memory of a file. It is given back when it is no longer reachable.
type savedMapping struct{ bytes []byte }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// SavedError says why a saved session cannot be used. Nothing is lost but time: the tokens can be computed again.
type SavedError struct {
	Path  string
	Block int // where it is; −1 for the header
	Why   string
}

func (e *SavedError) Error() string {
	at := ""
	if e.Block >= 0 {
		at = fmt.Sprintf(": block %d", e.Block)
	}
	return fmt.Sprintf("saved session %s%s: %s; it is computed again, and can be deleted", e.Path, at, e.Why)
}

// Save writes the session's tokens and KV cache to a file, which [Model.LoadSession] reads. If the file has the beginning
// of the session already, only what follows is written: a turn costs its own tokens. The file cannot be read by other
// users. A file that is not complete, because the process ended, is noticed when it is read.
//
// It takes 4·nLayers·nKVHeads·headDim bytes a token: 32 KiB for Llama 3.2 1B.
func (s *Session) Save(path string) error {
	if err := s.acquire(); err != nil {
		return err
	}
	defer s.release()
	if err := s.model.enter(); err != nil {
		return err
	}
	defer s.model.leave()
	file, first, err := s.openSaved(path)
	if err != nil {
		return err
	}
	if err := s.saveTo(file, first); err != nil {
		_ = file.Close() // the first error says more
		return fmt.Errorf("saving a session to %s: %w", path, err)
	}
	return file.Close()
}

// openSaved opens the file to save to and returns the first block to write. What another session has mapped stays as it is:
// if it had to change, the name is given to a new file.
func (s *Session) openSaved(path string) (file *os.File, first int, err error) {
	file, err = os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, 0, err
	}
	held, err := s.model.readHeader(file)
	if err == nil {
		first = s.savedBlocks(file, min(held, len(s.tokens))/kvBlockLength)
		if first == held/kvBlockLength {
			return file, first, nil
		}
	}
	if changeable(file) {
		return file, first, nil
	}
	_ = file.Close() // nothing was written
	if err := os.Remove(path); err != nil {
		return nil, 0, err
	}
	file, err = os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	return file, 0, err
}

func (s *Session) saveTo(file *os.File, first int) error {
	// Should the process end while the rest is written, the file is a shorter session.
	if err := s.model.writeHeader(file, first*kvBlockLength); err != nil {
		return err
	}
	for i := first; i < len(s.cache.blocks); i++ {
		at := s.model.savedOffset(i)
		data := bytesOf(s.cache.blocks[i].data)
		tokens := s.blockTokens(i)
		if _, err := file.WriteAt(append(tokens, checksum(tokens, data)...), at); err != nil {
			return err
		}
		if _, err := file.WriteAt(data, at+savedTokens); err != nil {
			return err
		}
	}
	if err := file.Truncate(s.model.savedOffset(len(s.cache.blocks))); err != nil {
		return err
	}
	return s.model.writeHeader(file, len(s.tokens))
}

// savedBlocks is how many of the first n blocks of a file are the session's.
func (s *Session) savedBlocks(file *os.File, n int) int {
	var tokens [kvBlockLength * 4]byte
	for i := range n {
		if _, err := file.ReadAt(tokens[:], s.model.savedOffset(i)); err != nil || !bytes.Equal(tokens[:], s.blockTokens(i)) {
			return i
		}
	}
	return n
}

// blockTokens returns the tokens of a block as they are saved; places that are not filled are −1.
func (s *Session) blockTokens(block int) []byte {
	out := make([]byte, 0, savedTokens)
	for i := block * kvBlockLength; i < (block+1)*kvBlockLength; i++ {
		t := Token(-1)
		if i < len(s.tokens) {
			t = s.tokens[i]
		}
		out = binary.LittleEndian.AppendUint32(out, uint32(t))
	}
	return out
}

func checksum(tokens, data []byte) []byte {
	sum := crc32.Update(crc32.Checksum(tokens, castagnoli), castagnoli, data)
	return binary.LittleEndian.AppendUint32(nil, sum)
}

// bytesOf is the memory of a block. Machines of both byte orders run this code, but files do not travel between them: the
// checksum of the header differs.
func bytesOf(data []uint16) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(data))), 2*len(data))
}

func (m *Model) savedOffset(block int) int64 {
	return savedHeader + int64(block)*(savedTokens+m.kv.blockBytes())
}

// fingerprint tells models apart whose files differ: by the shapes of all tensors and samples of their data.
func (m *Model) fingerprint() []byte {
	m.printOnce.Do(func() {
		h := sha256.New()
		fmt.Fprintf(h, "%+v %d", m.config, m.file.Size())
		for _, t := range m.file.Tensors() {
			fmt.Fprintf(h, "%s %v %v", t.Name, t.Type, t.Shape)
			const sample = 512
			for _, at := range []int{0, len(t.Data) / 3, len(t.Data) - sample} {
				at = max(at, 0)
				h.Write(t.Data[at:min(at+sample, len(t.Data))])
			}
		}
		// A number as this machine has it in memory, so that the byte order counts too.
		h.Write(bytesOf([]uint16{1}))
		m.print = h.Sum(nil)
	})
	return m.print
}

func (m *Model) header(tokens int) []byte {
	b := append([]byte(savedMagic), m.fingerprint()...)
	b = binary.LittleEndian.AppendUint32(b, uint32(m.kv.blockElements()))
	b = binary.LittleEndian.AppendUint32(b, kvBlockLength)
	b = binary.LittleEndian.AppendUint32(b, uint32(tokens))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return append(b, make([]byte, savedHeader-len(b))...)
}

func (m *Model) writeHeader(file *os.File, tokens int) error {
	_, err := file.WriteAt(m.header(tokens), 0)
	return err
}

// readHeader returns how many tokens a file has.
func (m *Model) readHeader(file *os.File) (tokens int, err error) {
	bad := func(why string) (int, error) { return 0, &SavedError{file.Name(), -1, why} }
	b := make([]byte, savedHeader)
	if _, err := file.ReadAt(b, 0); err != nil {
		if errors.Is(err, io.EOF) {
			return bad("the file is too short")
		}
		return 0, err
	}
	if string(b[:8]) != savedMagic {
		return bad("it is none, or of another version")
	}
	if crc32.Checksum(b[:52], castagnoli) != binary.LittleEndian.Uint32(b[52:]) {
		return bad("the header is damaged")
	}
	if !bytes.Equal(b[8:48], m.header(0)[8:48]) {
		return bad("it belongs to another model")
	}
	tokens = int(binary.LittleEndian.Uint32(b[48:]))
	if tokens > m.contextLength {
		return bad(fmt.Sprintf("it has %d tokens, the context holds %d", tokens, m.contextLength))
	}
	return tokens, nil
}

// LoadSession reads what [Session.Save] wrote: a session with the same tokens, which computes none of them again. What is
// damaged at the end of a file is left out; the session then holds the tokens before it. Where the system can, the file is
// mapped into memory: it must not be cut or overwritten while the session is open, other than by [Session.Save], which
// takes care. It may be deleted.
//
// Errors: those of the file; a [*SavedError] for a file of another model, of another version, or without a usable part.
func (m *Model) LoadSession(path string) (*Session, error) {
	if err := m.enter(); err != nil {
		return nil, err
	}
	defer m.leave()
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	tokens, err := m.readHeader(file)
	if err != nil {
		return nil, err
	}
	s, err := m.NewSession()
	if err != nil {
		return nil, err
	}
	var mapping *savedMapping
	if filled := tokens / kvBlockLength; filled > 0 {
		mapping, _ = mapSaved(path, m.savedOffset(filled)) // without one, for whatever reason, blocks are read
	}
	for block := 0; len(s.tokens) < tokens; block++ {
		n := min(tokens-len(s.tokens), kvBlockLength)
		if mapping != nil && n == kvBlockLength {
			err = s.mapBlock(path, mapping, block)
		} else {
			err = s.readBlock(file, block, n)
		}
		if err != nil {
			if len(s.tokens) == 0 {
				return nil, err
			}
			break
		}
	}
	return s, nil
}

// mapBlock takes the next block of a saved session, which is filled, from a mapping of the file.
func (s *Session) mapBlock(path string, mapping *savedMapping, block int) error {
	record := mapping.bytes[s.model.savedOffset(block):s.model.savedOffset(block+1)]
	data := record[savedTokens:]
	b := &kvBlock{mapping: mapping, data: unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(data))), len(data)/2)}
	b.references.Store(2)
	if !s.appendSaved(b, record[:savedTokens], kvBlockLength) {
		return &SavedError{path, block, "it is damaged"}
	}
	return nil
}

// readBlock reads the next block of a saved session, of which n positions are filled.
func (s *Session) readBlock(file *os.File, block, n int) error {
	bad := func(why string) error { return &SavedError{file.Name(), block, why} }
	head := make([]byte, savedTokens)
	if _, err := file.ReadAt(head, s.model.savedOffset(block)); err != nil {
		return bad("it is not there")
	}
	b := s.model.kv.get()
	if _, err := file.ReadAt(bytesOf(b.data), s.model.savedOffset(block)+savedTokens); err != nil {
		s.model.kv.release(b)
		return bad("it is not complete")
	}
	if !s.appendSaved(b, head, n) {
		s.model.kv.release(b)
		return bad("it is damaged")
	}
	return nil
}

// appendSaved appends a block and its first n tokens to the session, if they are what was saved.
func (s *Session) appendSaved(b *kvBlock, head []byte, n int) bool {
	tokens, sum := head[:kvBlockLength*4], head[kvBlockLength*4:][:4]
	if !bytes.Equal(sum, checksum(tokens, bytesOf(b.data))) {
		return false
	}
	at := len(s.tokens)
	for i := range n {
		t := Token(binary.LittleEndian.Uint32(tokens[4*i:]))
		if t < 0 || int(t) >= s.model.config.VocabSize {
			s.tokens = s.tokens[:at]
			return false
		}
		s.tokens = append(s.tokens, t)
	}
	s.cache.blocks = append(s.cache.blocks, b)
	return true
}
